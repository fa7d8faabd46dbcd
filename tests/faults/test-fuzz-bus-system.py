#!/usr/bin/python3
"""Every method of the system instance under generated calls: of root, who may do everything, and of
a user who may do nothing. Beside the real polkitd."""

from bus_fuzz import (SANITIZED, add_options, check_log, complaints, descriptors, fuzz, memory,
                      recorded_file)
from harness import as_user, equal, main, promise
from polkit_world import STRANGER, system_world, uid


def fuzz_system(world, calls, everything, preexec=None):
    with world.system_daemon(environment=SANITIZED) as daemon, world.caller() as root:
        with recorded_file(root) as lines:
            before = descriptors(daemon.pid), memory(daemon.pid)
            report = fuzz(world.options, world.bus.address, calls, preexec=preexec, lines=lines)
        equal(complaints(report, daemon.process, before, daemon.said(), everything), [])
        check_log(root)


@promise
def the_system_instance_takes_every_call_of_root(world):
    fuzz_system(world, world.options.calls, everything=True)


@promise
def the_system_instance_takes_every_call_of_a_stranger(world):
    fuzz_system(world, world.options.calls, everything=False, preexec=as_user(uid(STRANGER)))


main(system_world, add_options)
