"""`python -m tests.bench push`: run one group of measurements."""

import argparse

from . import push


def main() -> None:
    """Print `metric value unit` lines as they are measured."""
    parser = argparse.ArgumentParser(prog="script/bench", description=main.__doc__)
    groups = parser.add_subparsers(dest="group", required=True)
    pushing = groups.add_parser("push", help=push.__doc__)
    pushing.add_argument("--peer", default="lockstep", help="path of a real espota.py instead")
    pushing.add_argument("--runs", type=int, default=3, help="of each sender; medians are printed")
    arguments = parser.parse_args()
    for line in push.measure(arguments.peer, arguments.runs):
        print(line, flush=True)


if __name__ == "__main__":
    main()
