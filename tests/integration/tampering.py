"""What can be done to the entries of a log: harm, and what only looks like it.

Some of the harm is done with the device's own keys: only so the rules behind the hashes are asked
for. That the forger itself does nothing wrong is what the harmless ones show."""

import json

from forgery import canonical, formats

SOUND, DAMAGED = 0, 2


def table():
    """A list of (function, verdict, codes), and what enters a function into it."""
    cases = []

    def case(verdict, codes=''):
        """`codes`: one of these the verifier must name, so that it does not find something else."""
        def enter(function):
            cases.append((function, verdict, codes.split()))
            return function
        return enter
    return cases, case


CASES, case = table()
harmless = case(SOUND)


@harmless
def nothing(log):
    pass


@harmless
def all_signed_again_with_the_same_keys(log):
    log.sign()
    log.sign('device')
    log.sign('public')


@harmless
def a_body_sealed_again_and_the_log_signed(log):
    log.set_body(log.last(), log.seal(log.last(), b'{}\n{"other":"content"}'))
    log.sign()


@harmless
def a_member_of_a_header_that_is_not_known(log):
    log.set_header(log.last(), log.header(log.last()) | {'zeta': [{'large': 2 ** 63 - 1}]})
    log.sign()


@harmless
def a_kind_that_is_not_known(log):
    log.set_header(log.last(), log.header(log.last()) | {'kind': 'thing.happened'})
    log.sign()


@harmless
def a_note_with_a_line_and_a_signature_more(log):
    size = log.tree('workspace').size
    note = log.note('workspace', size, log.tree('workspace').root(size), lines='more\n',
                    signatures=f'\u2014 witness.example {"A" * 92}\n')
    log.run('UPDATE head SET note = ? WHERE feed = ?', note, log.feeds['workspace'])


@harmless
def a_version_that_is_not_known(log):
    header = log.header(log.last())
    known = {name: header[name] for name in ('device', 'scope', 'epoch', 'seq', 'op')}
    log.set_header(log.last(), known | {'v': 2, 'content': 'elsewhere'})
    log.sign()


@harmless
def scope_keys_that_are_not_at_hand(log):
    for path in (log.state / 'keys').glob('scope-*'):
        path.unlink()


def purge(log, thing='o:7', by='o:7', kind='deletion.purged', **changes):
    """The last entry becomes one that takes the body of an earlier one, whose place is given."""
    last = log.last()
    header = log.header(last) | {'kind': kind, 'object': by} | changes
    log.set_header(last, header)
    log.set_body(last, log.seal(last, b'{}\n{}'))
    pos = log.value('SELECT min(pos) FROM entry WHERE feed = ? AND instr(header, ?)',
                    log.feeds['workspace'], f'"object":"{thing}"'.encode())
    log.run('UPDATE entry SET body = NULL WHERE pos = ?', pos)
    log.run('INSERT INTO purge VALUES (?, ?)', pos, last)
    log.sign()
    return pos


@harmless
def a_body_that_was_purged(log):
    purge(log)


@case(DAMAGED, 'body')
def a_body_purged_for_another_object(log):
    purge(log, by='o:8')


@case(DAMAGED, 'body')
def a_body_purged_by_what_is_no_purge(log):
    purge(log, kind='deletion.hidden')


@case(DAMAGED, 'body')
def a_body_purged_by_an_entry_that_is_not_there(log):
    log.run('UPDATE purge SET by = by + 1 WHERE pos = ?', purge(log))


@case(DAMAGED, 'body')
def a_body_purged_without_a_row(log):
    log.run('DELETE FROM purge WHERE pos = ?', purge(log))


@case(DAMAGED, 'body')
def a_body_purged_that_no_purge_takes(log):
    pos = purge(log)
    log.set_header(pos, log.header(pos) | {'kind': 'deletion.hidden'})
    log.sign()


@case(DAMAGED, 'purge')
def a_row_for_a_body_that_is_there(log):
    log.run('INSERT INTO purge VALUES (20, ?)', log.last())


@case(DAMAGED, 'purge')
def a_row_for_an_entry_that_is_not_there(log):
    log.run('INSERT INTO purge VALUES (1000000, 1000001)')


def lose(log, pos, header=True):
    """What a repair does that finds the bytes nowhere."""
    leaf = formats.leaf_hash(log.value('SELECT header FROM entry WHERE pos = ?', pos))
    log.run('UPDATE entry SET body = NULL WHERE pos = ?', pos)
    if header:
        log.run("UPDATE entry SET header = x'' WHERE pos = ?", pos)
    log.run('INSERT INTO lost VALUES (?, ?)', pos, leaf if header else None)


@harmless
def a_body_that_is_lost(log):
    lose(log, 100, header=False)


@harmless
def headers_that_are_lost(log):
    lose(log, 100)
    lose(log, log.last())
    lose(log, log.large())


def generation(log, number, of=None):
    device = log.value("SELECT value FROM meta WHERE name = 'device'")
    digits = formats.sha256(b'sourceos-generation-v1', (of or device).encode(), number.encode()).hex()[:10]
    log.run("INSERT INTO meta VALUES ('generation', ?)", f'{number}-{digits}')


@harmless
def a_further_generation(log):
    generation(log, '2')


@case(DAMAGED, 'meta')
def a_generation_of_another_device(log):
    generation(log, '2', of='device-00000000000000000000000000')


@case(DAMAGED, 'meta')
def a_generation_before_the_first(log):
    generation(log, '0')


@case(DAMAGED, 'meta')
def a_generation_with_other_digits(log):
    generation(log, '2')
    log.run("UPDATE meta SET value = '3' || substr(value, 2) WHERE name = 'generation'")


@case(DAMAGED, 'head')
def a_header_lost_with_another_leaf(log):
    lose(log, 100)
    log.run('UPDATE lost SET leaf = zeroblob(32)')


@case(DAMAGED, 'header')
def a_header_gone_that_is_not_said_to_be_lost(log):
    lose(log, 100)
    log.run('DELETE FROM lost')


@case(DAMAGED, 'header')
def a_header_lost_without_its_leaf(log):
    lose(log, 100)
    log.run('UPDATE lost SET leaf = NULL')


@case(DAMAGED, 'lost')
def a_body_said_to_be_lost_that_is_there(log):
    log.run('INSERT INTO lost VALUES (100, NULL)')


@case(DAMAGED, 'lost')
def an_entry_said_to_be_lost_that_is_there(log):
    log.run('INSERT INTO lost VALUES (100, zeroblob(32))')


@case(DAMAGED, 'lost')
def an_entry_said_to_be_lost_that_is_none(log):
    log.run('INSERT INTO lost VALUES (1000000, NULL)')


@case(DAMAGED, 'lost')
def a_body_purged_and_lost(log):
    log.run('INSERT INTO lost VALUES (?, NULL)', purge(log))


@case(DAMAGED, 'signer')
def the_first_header_lost(log):
    lose(log, log.value('SELECT pos FROM entry WHERE feed = ? AND seq = 0', log.feeds['public']))


@case(DAMAGED, 'header')
def a_header_like_what_stands_in_for_a_lost_one(log):
    header = log.header(log.last())
    known = {name: header[name] for name in ('device', 'scope', 'epoch', 'seq', 'op')}
    log.set_header(log.last(), known | {'v': 2 ** 63 - 1, 'lost': 'ab' * 32})
    log.sign()


@case(DAMAGED, 'head')
def one_letter_of_a_header(log):
    header = log.value('SELECT header FROM entry WHERE pos = 100')
    log.run('UPDATE entry SET header = ? WHERE pos = 100', header.replace(b'"o:', b'"p:'))


@case(DAMAGED, 'body')
def two_bodies_exchanged(log):
    first, second = (log.value('SELECT body FROM entry WHERE pos = ?', log.last() - step)
                     for step in (3, 4))
    log.run('UPDATE entry SET body = ? WHERE pos = ?', second, log.last() - 3)
    log.run('UPDATE entry SET body = ? WHERE pos = ?', first, log.last() - 4)


@case(DAMAGED, 'body')
def a_byte_more_of_a_body(log):
    log.run("UPDATE entry SET body = CAST(body || x'00' AS BLOB) WHERE pos = 20")


@case(DAMAGED, 'body')
def a_body_gone(log):
    log.run('UPDATE entry SET body = NULL WHERE pos = 20')


@case(DAMAGED, 'body')
def a_body_of_no_bytes(log):
    log.run("UPDATE entry SET body = x'' WHERE pos = 20")


@case(DAMAGED, 'head')
def the_last_entry_gone(log):
    last = log.last()
    log.run('DELETE FROM entry WHERE pos = ?', last)


@case(DAMAGED, 'head')
def the_last_entry_gone_and_the_head_cut(log):
    the_last_entry_gone(log)
    log.run('UPDATE head SET size = size - 1 WHERE feed = ?', log.feeds['workspace'])


@case(DAMAGED, 'position')
def an_entry_in_the_middle_gone(log):
    log.run('DELETE FROM entry WHERE pos = 100')


@case(DAMAGED, 'header head')
def an_entry_of_another_feed(log):
    log.run('UPDATE entry SET (header, body) = (SELECT header, body FROM entry WHERE pos = ?)'
            ' WHERE pos = ?', log.last('public'), log.last())


@case(DAMAGED, 'header')
def an_entry_of_another_feed_signed(log):
    an_entry_of_another_feed(log)
    log.sign()


@case(DAMAGED, 'head')
def an_entry_more(log):
    header = log.header(log.last())
    end = log.value('SELECT max(pos) FROM entry')
    log.run('INSERT INTO entry SELECT ?, feed, ?, ?, NULL, body FROM entry WHERE pos = ?', end + 1,
            header['seq'] + 1, canonical(header | {'seq': header['seq'] + 1}), log.last())


def append(log, scope, header, stored):
    """An entry more at the end of the log and of a feed, in rows that are in order."""
    end, feed = log.value('SELECT max(pos) FROM entry') + 1, log.feeds[scope]
    seq = log.value('SELECT max(seq) FROM entry WHERE feed = ?', feed) + 1
    log.run('INSERT INTO entry VALUES (?, ?, ?, ?, NULL, ?)', end, feed, seq, header, stored)


def replay(log, pos, scope):
    append(log, scope, log.value('SELECT header FROM entry WHERE pos = ?', pos),
           log.value('SELECT body FROM entry WHERE pos = ?', pos))


@case(DAMAGED, 'header head')
def an_entry_replayed(log):
    replay(log, log.last(), 'workspace')


@case(DAMAGED, 'header')
def an_entry_replayed_and_the_log_signed(log):
    replay(log, log.last(), 'workspace')
    log.sign()


@case(DAMAGED, 'header')
def an_entry_replayed_in_another_feed_that_is_signed(log):
    replay(log, log.last('public'), 'device')
    log.sign('device')


def replay_feed(log, scope, epoch):
    """The entries of the public feed once more, as a feed that is signed like any other."""
    device = log.value('SELECT device FROM feed WHERE id = ?', log.feeds['public'])
    log.run('INSERT INTO feed (id, device, scope, epoch) VALUES (99, ?, ?, ?)', device, scope,
            epoch)
    log.run('INSERT INTO entry SELECT pos + 1000000, 99, seq, header, tiles, body FROM entry'
            ' WHERE feed = ?', log.feeds['public'])
    for number, (pos,) in enumerate(log.database.execute(
            'SELECT pos FROM entry ORDER BY pos').fetchall(), 1):
        log.run('UPDATE entry SET pos = ? WHERE pos = ?', number, pos)
    log.feeds['replayed'] = 99
    log.run('INSERT INTO head VALUES (99, 0, x\'\', x\'\', \'\')')
    log.sign('replayed')


@case(DAMAGED, 'header')
def a_feed_replayed_in_another_scope(log):
    scope = log.value('SELECT scope FROM feed WHERE id = ?', log.feeds['public'])
    replay_feed(log, scope[:-1] + ('0' if scope[-1] != '0' else '1'), 1)


@case(DAMAGED, 'header')
def a_feed_replayed_in_the_next_epoch(log):
    replay_feed(log, log.value('SELECT scope FROM feed WHERE id = ?', log.feeds['public']), 2)


@case(DAMAGED, 'head')
def a_feed_that_has_nothing(log):
    log.run("INSERT INTO feed (id, device, scope, epoch) SELECT 99, device, scope || '/1', 1"
            ' FROM feed WHERE id = ?', log.feeds['public'])


@case(DAMAGED, 'header')
def a_feed_of_an_earlier_epoch_signed(log):
    """Every entry says epoch 1; the feed, signed anew, goes for one of another epoch."""
    log.run('UPDATE feed SET epoch = 7 WHERE id = ?', log.feeds['public'])
    log.sign('public')


@case(DAMAGED, 'position header')
def a_place_before_the_first(log):
    log.run('UPDATE entry SET seq = -1 WHERE pos = ?', log.last())


@case(DAMAGED, 'position header')
def a_place_far_beyond_the_last(log):
    log.run('UPDATE entry SET seq = ? WHERE pos = ?', 2 ** 63 - 1, log.last())


@case(DAMAGED, 'position header')
def a_place_before_the_first_signed(log):
    log.run('UPDATE entry SET seq = -1 WHERE pos = ?', log.last())
    log.set_header(log.last(), log.header(log.last()) | {'seq': -1})
    log.sign()


@case(DAMAGED, 'position')
def a_position_before_the_first(log):
    end = log.value('SELECT max(pos) FROM entry')
    log.run('UPDATE entry SET pos = 0 WHERE pos = ?', end)


@harmless
def parents_that_are_elsewhere(log):
    """Another device's feed may have them, and may arrive later."""
    log.set_header(log.last(), log.header(log.last()) | {'parents': ['ab' * 32]})
    log.sign()


@case(DAMAGED, 'position')
def a_position_left_out(log):
    end = log.value('SELECT max(pos) FROM entry')
    log.run('UPDATE entry SET pos = pos + 1 WHERE pos = ?', end)


@case(DAMAGED, 'position')
def two_entries_in_another_order(log):
    for old, new in ((100, 1000000), (101, 100), (1000000, 101)):
        log.run('UPDATE entry SET pos = ? WHERE pos = ?', new, old)


@case(DAMAGED, 'header head')
def a_feed_of_another_epoch(log):
    log.run('UPDATE feed SET epoch = 2 WHERE id = ?', log.feeds['public'])


# What follows is signed by the device, so that nothing but its rule finds it.

@case(DAMAGED, 'header')
def a_header_that_is_not_canonical(log):
    log.set_header(log.last(), canonical(log.header(log.last())).replace(b'":', b'": ', 1))
    log.sign()


@case(DAMAGED, 'header')
def a_header_of_another_place(log):
    header = log.header(log.last())
    log.set_header(log.last(), header | {'seq': header['seq'] + 1})
    log.sign()


@case(DAMAGED, 'header')
def a_header_without_a_member(log):
    header = log.header(log.last())
    del header['lane']
    log.set_header(log.last(), header)
    log.sign()


@case(DAMAGED, 'header')
def a_header_with_a_fraction(log):
    log.set_header(log.last(), log.header(log.last()) | {'zeta': 0.5})
    log.sign()


@case(DAMAGED, 'header')
def a_header_with_an_integer_beyond_64_bits(log):
    log.set_header(log.last(), log.header(log.last()) | {'zeta': 2 ** 63})
    log.sign()


@case(DAMAGED, 'header')
def a_header_with_half_a_surrogate_pair(log):
    log.set_header(log.last(), log.header(log.last()) | {'zeta': '\ud800'})
    log.sign()


@case(DAMAGED, 'header')
def an_object_that_is_no_id(log):
    log.set_header(log.last(), log.header(log.last()) | {'object': 'a b'})
    log.sign()


@case(DAMAGED, 'signer')
def a_feed_that_opens_without_a_key(log):
    first = log.value('SELECT pos FROM entry WHERE feed = ? AND seq = 0', log.feeds['workspace'])
    header = log.header(first)
    del header['signer']
    log.set_header(first, header)
    log.sign()


@case(DAMAGED, 'body')
def a_body_sealed_for_another_place(log):
    log.set_body(log.last(), log.seal(log.last(), b'{}\n{}', seq=0))
    log.sign()


@case(DAMAGED, 'body')
def a_body_without_a_meta_line(log):
    log.set_body(log.last(), log.seal(log.last(), b'{}'))
    log.sign()


@case(DAMAGED, 'body')
def a_list_with_another_digest(log):
    pos = log.large('public')
    stored = log.value('SELECT body FROM entry WHERE pos = ?', pos)
    begin = stored.index(b'\n', formats.NONCE) + 1
    listed = json.loads(stored[begin:]) | {'digest': 'sha256:' + '0' * 64}
    log.set_body(pos, stored[:begin] + canonical(listed))
    log.sign('public')


@case(DAMAGED, 'body')
def a_body_that_is_not_sealed(log):
    log.set_header(log.last(), log.header(log.last()) | {'key': ''})
    log.set_body(log.last(), bytes(formats.NONCE) + b'{}\n{}')
    log.sign()


@case(DAMAGED, 'signer')
def a_feed_that_nothing_opens(log):
    first = log.value('SELECT pos FROM entry WHERE feed = ? AND seq = 0', log.feeds['workspace'])
    log.set_header(first, log.header(first) | {'kind': 'thing.happened'})
    log.sign()


@case(DAMAGED, 'body')
def a_meta_line_that_is_not_json(log):
    log.set_body(log.last(), log.seal(log.last(), b'hello\n{}'))
    log.sign()


@case(DAMAGED, 'body')
def a_chunk_of_another_size(log):
    pos = log.large('public')
    stored = log.value('SELECT body FROM entry WHERE pos = ?', pos)
    begin = stored.index(b'\n', formats.NONCE) + 1
    listed = json.loads(stored[begin:])
    listed['chunks'][0]['size'] += 1
    log.set_body(pos, stored[:begin] + canonical(listed))
    log.sign('public')
