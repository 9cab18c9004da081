"""What `script/demo --once` can play. A new one is a subclass in one of these files."""

from .scenario import Scenario
from .scenarios_crash import Crash
from .scenarios_doors import CallbackBlocked, Fallback, Upload
from .scenarios_equipment import SharedValve
from .scenarios_identity import ImpostorAnswers, OtherModuleAnswers, SameName, SameNameTwice, Swap
from .scenarios_images import Filesystem, Gzip
from .scenarios_many import RolloutStops, UpdateAll
from .scenarios_proof import ConditionBreaks, LostOk, OldSketchBack
from .scenarios_pull import Pull
from .scenarios_push import Classic, Password, Pbkdf2, Push, Unsafe, WrongPassword
from .scenarios_rollback import Rollback, RollbackAsk
from .scenarios_sources import CiUpload, WrongImage
from .scenarios_waiting import Sleeper, Window

SCENARIOS: dict[str, type[Scenario]] = {
    scenario.name: scenario
    for scenario in (
        Push,
        Password,
        Pbkdf2,
        Classic,
        Unsafe,
        WrongPassword,
        Upload,
        Fallback,
        CallbackBlocked,
        Pull,
        Gzip,
        CiUpload,
        WrongImage,
        Filesystem,
        LostOk,
        OldSketchBack,
        ConditionBreaks,
        SharedValve,
        UpdateAll,
        RolloutStops,
        Sleeper,
        Window,
        OtherModuleAnswers,
        SameName,
        SameNameTwice,
        ImpostorAnswers,
        Swap,
        Crash,
        Rollback,
        RollbackAsk,
    )
}
