#!/usr/bin/python3
"""What the command line says about documents and their contracts, without a daemon."""

import json

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
