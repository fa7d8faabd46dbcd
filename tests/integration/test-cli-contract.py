#!/usr/bin/python3
"""What the command line says about documents and their contracts, without a daemon."""

import json
import pathlib

from cli_user import DONE, FAILED, NEGATIVE, NOT_FOUND, Cli
from harness import equal, main, promise, session_world

ACTOR = {
    'schema': 'sourceos.actor-record/v1alpha1', 'actor_id': 'actor-1', 'actor_type': 'human',
    'display_name': 'A', 'identity_id': 'uid:1', 'workspace_scope': [], 'profile_scope': [],
    'capabilities': ['read'], 'trust_level': 'user', 'policy_subject': 'p', 'signing_key_ref': 'k',
    'created_at': '2026-05-05T00:00:00Z', 'of_another_version': [1.50],
}


def user(world):
    return Cli(world, world.place(), None)


def written(cli, name, document):
    path = cli.directory / name
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return str(path)


@promise
def documents_are_judged_by_the_contract_that_they_name(world):
    cli = user(world)
    good = written(cli, 'good.json', ACTOR)
    bad = written(cli, 'bad.json', {**ACTOR, 'actor_type': 'ghost', 'actor_id': ''})
    equal(cli.run('contract', 'validate', good)[0], DONE)
    equal(cli.run('contract', 'validate', '-', stdin=json.dumps(ACTOR))[0], DONE)
    code, out, err = cli.run('contract', 'validate', good, bad)
    equal((code, err), (NEGATIVE, ''))
    assert f'{good}: valid (sourceos.actor-record/v1alpha1)' in out, out
    assert '/actor_type must be one of' in out and '/actor_id must not be empty' in out, out

    code, out, _ = cli.run('contract', 'validate', '--json', good, bad)
    equal(code, NEGATIVE)
    answer = json.loads(out)
    equal([finding['verdict'] for finding in answer], ['valid', 'invalid'])
    equal(sorted(error['instance_path'] for error in answer[1]['errors']),
          ['/actor_id', '/actor_type'])


@promise
def what_cannot_be_judged_is_no_verdict(world):
    cli = user(world)
    good = written(cli, 'good.json', ACTOR)
    for name, document in {
            'twice.json': '{"schema":"a","schema":"b"}', 'cut.json': '{"schema":',
            'unnamed.json': '{"a":1}', 'list.json': '[]', 'unknown.json': '{"schema":"none/v1"}',
            'deep.json': '[' * 100000, 'empty.json': ''}.items():
        code, out, err = cli.run('contract', 'validate', '--json', written(cli, name, document), good)
        equal((code, err), (FAILED, ''), name)
        equal([finding['verdict'] for finding in json.loads(out)], ['unjudged', 'valid'], name)
    equal(cli.run('contract', 'validate', str(cli.directory / 'none'))[0], FAILED)


@promise
def any_schema_will_do(world):
    cli = user(world)
    good = written(cli, 'good.json', ACTOR)
    schema = written(cli, 'schema.json', {
        '$ref': 'urn:sourceos:schema:sourceos.actor-record/v1alpha1',
        'properties': {'actor_type': {'const': 'agent'}}})
    code, out, _ = cli.run('contract', 'validate', f'--schema={schema}', good)
    equal(code, NEGATIVE)
    assert '/actor_type must be "agent", but is "human" (#/properties/actor_type/const)' in out, out
    for number, unusable in enumerate((
            {'minimun': 1}, {'$ref': 'https://example.org/s.json'}, {'$ref': 'good.json'}, '{')):
        schema = written(cli, f'unusable-{number}.json', unusable)
        cli.fails(FAILED, 'Failed', 'contract', 'validate', f'--schema={schema}', good)


@promise
def a_contract_is_named_by_its_id_as_well(world):
    cli = user(world)
    good = written(cli, 'good.json', {**ACTOR, 'schema': 'other'})
    actor = 'sourceos.actor-record/v1alpha1'
    code, out, _ = cli.run('contract', 'validate', f'--schema={actor}', good)
    equal((code, out), (NEGATIVE, f'{good}: not valid ({actor})\n  /schema must be "{actor}", but is '
                        '"other" (#/properties/schema/const)\n'))
    good = written(cli, 'good.json', ACTOR)
    assert f'valid ({actor})' in cli.does('contract', 'validate', '--schema', actor, good)
    for wrong in ('actor-record', 'sourceos.actor-recrod/v1alpha1', 'sourceos.actor'):
        for words in (('validate', f'--schema={wrong}', good), ('show', wrong)):
            cli.fails(NOT_FOUND, 'NotFound', 'contract', *words)
            assert actor in cli.run('contract', *words)[2], words


@promise
def a_record_that_names_no_contract_is_told_which_it_may_be(world):
    """Its schema_version is that of the data, and not the name of a contract."""
    cli = user(world)
    records = pathlib.Path(world.options.source, 'examples/records')
    for name, contract in (('object-note', 'object-record'), ('schema-note', 'schema-record'),
                           ('workspace-notes', 'workspace-record'), ('actor-agent', 'actor-record')):
        path = records / f'{name}.json'
        finding, = json.loads(cli.run('contract', 'validate', str(path), '--json')[1])
        equal((finding['verdict'], finding['contract']), ('unjudged', None), name)
        assert 'does not say which contract' in finding['error']['message'], finding
        assert f'--schema=sourceos.{contract}/v1alpha1' in finding['error']['hint'], finding
        version = json.loads(path.read_text()).get('schema_version')
        assert version is None or f'`{version}` is the id of none' in finding['error']['message'], finding
    for named in ({'schema': 'v1'}, {'schema_version': 'sourceos.none/v1'}):
        path = written(cli, 'named.json', named)
        finding, = json.loads(cli.run('contract', 'validate', path, '--json')[1])
        equal(finding['error']['message'], f'There is no contract "{[*named.values()][0]}".')


@promise
def contracts_are_listed_and_shown(world):
    cli = user(world)
    contracts = cli.json('contract', 'list')
    assert len(contracts) > 20, contracts
    for contract in contracts:
        schema = json.loads(cli.does('contract', 'show', contract['id']))
        equal(schema['$id'], 'urn:sourceos:schema:' + contract['id'])
        assert contract['id'] in cli.does('contract', 'list')
    cli.fails(NOT_FOUND, 'NotFound', 'contract', 'show', 'none/v1')


if __name__ == '__main__':
    main(session_world)
