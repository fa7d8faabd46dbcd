"""What can be done to all that vouches for a log: its notes, heads and checkpoints, tiles and chunks, and
what it says of itself."""

import hashlib

from forgery import SigningKey
from tampering import DAMAGED, SOUND, table

CASES, case = table()
harmless = case(SOUND)


@case(DAMAGED, 'head')
def the_size_in_a_note(log):
    note = log.value('SELECT note FROM head WHERE feed = ?', log.feeds['workspace'])
    lines = note.split('\n')
    lines[1] = str(int(lines[1]) - 1)
    log.run('UPDATE head SET note = ? WHERE feed = ?', '\n'.join(lines), log.feeds['workspace'])


@case(DAMAGED, 'head')
def the_note_of_another_feed(log):
    log.run('UPDATE head SET note = (SELECT note FROM head WHERE feed = ?) WHERE feed = ?',
            log.feeds['public'], log.feeds['workspace'])


@case(DAMAGED, 'head')
def a_log_signed_with_another_key(log):
    log.set_header(log.last(), log.header(log.last()) | {'object': 'o:other'})
    log.sign(signer=SigningKey.generate())


@case(DAMAGED, 'signer')
def a_log_that_names_and_is_signed_with_another_key(log):
    signer = SigningKey.generate()
    first = log.value('SELECT pos FROM entry WHERE feed = ? AND seq = 0', log.feeds['workspace'])
    log.set_header(first, log.header(first) | {'signer': bytes(signer.verify_key).hex()})
    log.sign(signer=signer)


@case(DAMAGED, 'checkpoint')
def a_checkpoint_with_another_root(log):
    log.run('UPDATE checkpoint SET note = ? WHERE feed = ?', log.note('workspace', 5, bytes(32)),
            log.feeds['workspace'])


def heads_note(log, note):
    log.run('UPDATE head SET note = ? WHERE feed = ?', note, log.feeds['workspace'])


def stated(log):
    size = log.tree('workspace').size
    return size, log.tree('workspace').root(size)


@case(DAMAGED, 'head')
def a_head_for_another_origin_signed_with_the_right_key(log):
    size, root = stated(log)
    heads_note(log, log.note('workspace', size, root, origin=log.origin('public')))


@case(DAMAGED, 'head')
def a_head_with_something_after_it(log):
    heads_note(log, log.note('workspace', *stated(log), signatures='something'))


@case(DAMAGED, 'head')
def a_head_with_an_empty_line_after_it(log):
    heads_note(log, log.note('workspace', *stated(log), signatures='\n'))


@case(DAMAGED, 'head')
def a_head_with_two_signatures_one_of_which_does_not_verify(log):
    size, root = stated(log)
    other = log.note('workspace', size + 1, root).splitlines(keepends=True)[-1]
    heads_note(log, log.note('workspace', size, root, signatures=other))


@case(DAMAGED, 'head')
def a_head_of_nothing(log):
    log.run("UPDATE head SET size = 0, frontier = x'', tail = x'', note = ? WHERE feed = ?",
            log.note('workspace', 0, hashlib.sha256().digest()), log.feeds['workspace'])


@case(DAMAGED, 'head')
def a_header_with_its_tiles(log):
    """All that follows from the leaf, but for the signature."""
    pos = log.value('SELECT pos FROM entry WHERE feed = ? AND seq = 40', log.feeds['workspace'])
    log.set_header(pos, log.header(pos) | {'object': 'o:other'})
    note = log.value('SELECT note FROM head WHERE feed = ?', log.feeds['workspace'])
    checkpoints = log.database.execute('SELECT note, id FROM checkpoint').fetchall()
    log.sign()
    heads_note(log, note)
    for kept, number in checkpoints:
        log.run('UPDATE checkpoint SET note = ? WHERE id = ?', kept, number)


@case(DAMAGED, 'checkpoint')
def a_checkpoint_signed_with_another_key(log):
    log.run('UPDATE checkpoint SET size = 5, note = ? WHERE feed = ?',
            log.note('workspace', 5, log.tree('workspace').root(5), SigningKey.generate()),
            log.feeds['workspace'])


@case(DAMAGED, 'checkpoint')
def a_checkpoint_of_another_feed(log):
    log.run('UPDATE checkpoint SET note = (SELECT note FROM checkpoint WHERE feed = ?) WHERE feed'
            ' = ?', log.feeds['public'], log.feeds['workspace'])


@case(DAMAGED, 'checkpoint')
def a_checkpoint_of_more_than_there_is(log):
    log.run('UPDATE checkpoint SET size = 100000, note = ? WHERE feed = ?',
            log.note('workspace', 100000, bytes(32)), log.feeds['workspace'])


@case(DAMAGED, 'head')
def a_frontier(log):
    log.run('UPDATE head SET frontier = zeroblob(length(frontier)) WHERE feed = ?',
            log.feeds['workspace'])


@case(DAMAGED, 'head')
def a_tail(log):
    log.run('UPDATE head SET tail = zeroblob(length(tail)) WHERE feed = ?', log.feeds['workspace'])


@case(DAMAGED, 'tile')
def a_tile(log):
    """Of level 1, which no header stands for."""
    log.run("UPDATE entry SET tiles = CAST(substr(tiles, 1, 1024) || zeroblob(1024) AS BLOB)"
            ' WHERE feed = ? AND seq = 1023', log.feeds['workspace'])


@case(DAMAGED, 'tile')
def a_tile_gone(log):
    log.run('UPDATE entry SET tiles = NULL WHERE feed = ? AND seq = 127', log.feeds['workspace'])


@case(DAMAGED, 'tile')
def a_tile_more(log):
    log.run('UPDATE entry SET tiles = zeroblob(1024) WHERE feed = ? AND seq = 126',
            log.feeds['workspace'])


@case(DAMAGED, 'tile')
def a_tile_of_no_bytes(log):
    log.run("UPDATE entry SET tiles = x'' WHERE feed = ? AND seq = 126", log.feeds['workspace'])


@case(DAMAGED, 'tile')
def a_tile_of_a_level_too_high(log):
    log.run('UPDATE entry SET tiles = CAST(tiles || tiles AS BLOB) WHERE feed = ? AND seq = 127',
            log.feeds['workspace'])


@case(DAMAGED, 'head')
def a_head_gone(log):
    log.run('DELETE FROM head WHERE feed = ?', log.feeds['public'])


@case(DAMAGED, 'orphan')
def a_head_without_a_feed(log):
    log.run('INSERT INTO head SELECT 99, 0, frontier, tail, note FROM head WHERE feed = ?',
            log.feeds['public'])


@case(DAMAGED, 'body')
def a_chunk_gone(log):
    log.chunk().unlink()


@case(DAMAGED, 'body')
def a_bit_of_a_chunk(log):
    stored = bytearray(log.chunk().read_bytes())
    stored[-1] ^= 1
    log.chunk().write_bytes(stored)


@case(DAMAGED, 'schema')
def a_trigger_gone(log):
    log.triggers_left_out = ['entry_delete']


@case(DAMAGED, 'schema')
def another_application(log):
    log.database.execute('PRAGMA application_id = 7')


@case(DAMAGED, 'meta')
def a_row_of_meta_more(log):
    log.run("INSERT INTO meta VALUES ('more', '')")


@case(DAMAGED, 'meta')
def another_device_in_meta(log):
    log.run("UPDATE meta SET value = 'device-0' WHERE name = 'device'")


@case(DAMAGED, 'meta')
def a_machine_in_meta_that_is_no_hash(log):
    log.run("UPDATE meta SET value = '' WHERE name = 'machine'")


@case(DAMAGED, 'meta')
def a_digit_of_the_machine(log):
    machine = log.value("SELECT value FROM meta WHERE name = 'machine'")
    log.run("UPDATE meta SET value = ? WHERE name = 'machine'",
            machine[:5] + ('0' if machine[5] != '0' else '1') + machine[6:])


@case(DAMAGED, 'checkpoint')
def a_checkpoint_of_another_number(log):
    log.run('UPDATE checkpoint SET id = 99 WHERE id = (SELECT max(id) FROM checkpoint)')


@case(DAMAGED, 'checkpoint')
def a_checkpoint_for_another_reason(log):
    log.run("UPDATE checkpoint SET reason = 'checkpoint.writf' WHERE id = 1")


@harmless
def a_machine_without_check_digits_as_older_logs_have_it(log):
    log.run("UPDATE meta SET value = substr(value, 1, 64) WHERE name = 'machine'")


@case(DAMAGED, 'schema')
def a_table_more(log):
    log.run('CREATE TABLE more (column)')
