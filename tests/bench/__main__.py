"""`python -m tests.bench GROUP`: run one group of measurements."""

import argparse

import homeassistant.const  # noqa: F401 - before anybody imports the voluptuous it replaces

from . import fleet, gate, houses, preflight, pull, push


def main() -> None:
    """Print `metric value unit` lines as they are measured."""
    parser = argparse.ArgumentParser(prog="script/bench", description=main.__doc__)
    groups = parser.add_subparsers(dest="group", required=True)
    pushing = groups.add_parser("push", help=push.__doc__)
    pushing.add_argument("--peer", default="lockstep", help="path of a real espota.py instead")
    pushing.add_argument("--runs", type=int, default=3, help="of each sender; medians are printed")
    pushing.set_defaults(measure=lambda options: push.measure(options.peer, options.runs))
    pulling = groups.add_parser("pull", help=pull.__doc__)
    pulling.add_argument("--runs", type=int, default=3, help="of each; medians are printed")
    pulling.set_defaults(measure=lambda options: pull.measure(options.runs))
    checking = groups.add_parser("preflight", help=preflight.__doc__)
    checking.add_argument(
        "--runs", type=int, default=101, help="of each image; medians are printed"
    )
    checking.set_defaults(measure=lambda options: preflight.measure(options.runs))
    gating = groups.add_parser("gate", help=gate.__doc__)
    gating.add_argument("--runs", type=int, default=21, help="of each kind; medians are printed")
    gating.set_defaults(measure=lambda options: gate.measure(options.runs))
    many = groups.add_parser("house", help=houses.__doc__)
    many.add_argument("--against", default=houses.BEFORE, help="commit that is measured beside it")
    many.add_argument("--runs", type=int, default=3, help="of each size; medians are printed")
    many.set_defaults(measure=lambda options: houses.measure(options.against, options.runs))
    updated = groups.add_parser("fleet", help=fleet.__doc__)
    updated.add_argument("--modules", type=int, nargs="+", default=list(fleet.SIZES))
    updated.add_argument(
        "--seconds", type=float, default=fleet.SECONDS, help="that an update takes on a module"
    )
    updated.add_argument(
        "--spread", type=float, default=60.0, help="seconds in which all modules are switched on"
    )
    updated.add_argument("--against", help="commit that is measured beside it")
    updated.set_defaults(
        measure=lambda options: fleet.measure(
            options.modules, options.seconds, options.spread, options.against
        )
    )
    arguments = parser.parse_args()
    for line in arguments.measure(arguments):
        print(line, flush=True)


if __name__ == "__main__":
    main()
