# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One round of a handover: look, deliver what is active, decide. A rotation begins a further round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from functools import partial
from typing import Any

from ansible_collections.secretops.infisical.plugins.module_utils._errors import InfisicalError, unforeseen
from ansible_collections.secretops.infisical.plugins.module_utils._options import ROTATION, defaults
from ansible_collections.secretops.infisical.plugins.module_utils._task import Task
from ansible_collections.secretops.infisical.plugins.module_utils._timestamps import parse_timestamp
from ansible_collections.secretops.infisical.plugins.modules import okta_client_secret_rotation
from ansible_collections.secretops.infisical.plugins.plugin_utils import _handover_look, _handover_settings
from ansible_collections.secretops.infisical.plugins.plugin_utils import _handover_rule as rule
from ansible_collections.secretops.infisical.plugins.plugin_utils._foreign import tried
from ansible_collections.secretops.infisical.plugins.plugin_utils._handover_look import Okta, Seen

#: Two rotations kill a leaked secret; more rounds than this means that somebody else goes on rotating.
_ROUNDS = 6
_ONE_SECRET = (
    "Warning: Infisical holds one secret only. The other one at Okta, most often made by hand, dies with the first "
    "rotation: whoever holds it and is no listed consumer is cut off."
)
Data = Mapping[str, Any]


@dataclass(frozen=True)
class Cycle:
    """``run`` are the settings of the run, ``rotation`` its id and its consumers."""

    run: Data
    rotation: Data
    task: Task
    okta: Okta
    why_deliver_only: str
    leaked_secret: str | None

    @property
    def _settings(self) -> rule.Settings:
        return _handover_settings.rule_settings(self.run)

    def look(self, last: Data, rotated: Data) -> dict[str, Any]:
        """What is there now, with the secrets. ``problem`` says why nothing may be delivered; empty where it may.

        ``last`` and ``rotated`` are the results of the round before, which may be of another rotation.
        """
        last, rotated = self._own(last), self._own(rotated)
        found, fault = tried(partial(self._looked, last, rotated), "look at the rotation")
        seen, problem = found or (None, fault)
        common = {"run": self.run["run"], "rotation_id": self.rotation["rotation_id"], "problem": problem}
        if seen is None:
            return {**common, "lines": [], "batches": []}
        ids = [each["secretId"] for each in (seen.active, seen.previous) if each]
        return {
            **common,
            "round": last.get("round", 0) + 1,
            "ids": sorted({*last.get("ids", ()), *ids}),
            "active_id": seen.active["secretId"],
            "previous_id": seen.previous["secretId"] if seen.previous else "",
            "credentials": {"active": dict(seen.active), "previous": dict(seen.previous) if seen.previous else None},
            "standing": _as_data(seen.standing),
            "last_rotated_at": seen.last_rotated_at,
            "leaked": self._leaked(seen) or last.get("leaked"),
            "lines": [seen.line, *([] if seen.complete or self.why_deliver_only else [_ONE_SECRET])],
            "batches": rule.in_batches(self.rotation["hosts"], self.run["serial"]),
        }

    def decide(
        self,
        look: Data,
        held: Mapping[str, rule.Held | None],
        batch: Data,
        told: Data,
        *,
        check_mode: bool,
    ) -> dict[str, Any]:
        """Rotate, or say why not. Never fails itself, so that the summary is said; ``refused`` is why it does.

        ``told`` is the result of the round before, whatever rotation it was about.
        """
        look = self._own(look)
        lines = [*(told.get("told", ()) if told.get("run") == self.run["run"] else ()), *look.get("lines", ())]
        ended = {
            "run": self.run["run"],
            "rotation_id": self.rotation["rotation_id"],
            "again": False,
            "refused": "",
            "told": lines,
        }
        refused = batch["stop"]
        if refused:
            return {**ended, "refused": refused}
        decision = self._decision(look, held, check_mode=check_mode)
        lines.append(decision.why)
        if decision.what == rule.REFUSE:
            return {**ended, "refused": decision.why, "told": lines[:-1]}
        if decision.what == rule.DONE:
            return {**ended, **self._proved(look, lines)}
        return {**ended, **self._rotated(look, lines, check_mode=check_mode)}

    # -- look

    def _looked(self, last: Data, rotated: Data) -> tuple[Seen, str]:
        seen = _handover_look.look(
            self.task,
            self.rotation["rotation_id"],
            _now,
            deliver_only=bool(self.why_deliver_only),
            known_ids=last.get("ids", ()),
            rotated=rotated.get("secretRotation"),
        )
        standing = seen.standing
        if standing and rule.wanted(standing, self._settings).what == rule.ROTATE:
            hindrance = rule.hindrance(standing, self._settings)
            if hindrance:
                return seen, f"{hindrance} Nothing was delivered or rotated."
        return seen, _handover_look.refusal(self.okta, seen)

    def _leaked(self, seen: Seen) -> str | None:
        """The value of the leaked secret, while Infisical can still tell it."""
        leaked_id = self.run["leaked_secret_id"]
        slots = [each for each in (seen.active, seen.previous) if each and leaked_id and each["secretId"] == leaked_id]
        return slots[0]["clientSecret"] if slots else self.leaked_secret

    # -- decide

    def _decision(self, look: Data, held: Mapping[str, rule.Held | None], *, check_mode: bool) -> rule.Decision:
        settings = self._settings
        if self.why_deliver_only:
            return rule.Decision(rule.DONE, f"Delivered only, not rotated: {self.why_deliver_only}")
        standing = _as_standing(look["standing"])
        wanted = rule.wanted(standing, settings)
        if wanted.what != rule.ROTATE:
            return wanted
        if look["round"] >= _ROUNDS:
            return rule.Decision(rule.REFUSE, f"{standing.name} was rotated {_ROUNDS - 1} times during this run.")
        standing = replace(standing, now=max(standing.now, _now()))
        why_not = rule.hindrance(standing, settings)
        # Nothing was delivered under check mode, so that nobody can be proved.
        if not why_not and not check_mode:
            why_not = rule.gate(self.rotation["listed"], held, look["active_id"], settings)
        return rule.Decision(rule.REFUSE, f"Not rotated. {why_not}") if why_not else wanted

    def _rotated(self, look: Data, lines: Sequence[str], *, check_mode: bool) -> dict[str, Any]:
        params = {
            **defaults(okta_client_secret_rotation.ARGUMENT_SPEC),
            **self.task.params,
            **dict.fromkeys(ROTATION),
            "rotation_id": self.rotation["rotation_id"],
            # What leaked dies whatever its age; and nobody rotates twice, for the time of the last one must be that.
            "min_age": "0" if self.run["leaked_secret_id"] else str(self.run["min_age"]),
            "only_if_last_rotated_at": look["last_rotated_at"],
        }
        task = replace(self.task, params=params, check_mode=check_mode)
        try:
            result = okta_client_secret_rotation.execute(task)
        except InfisicalError as failure:
            return {"refused": failure.message, "reason": failure.reason, "told": list(lines)}
        except Exception as fault:  # noqa: BLE001 - a traceback would quote what the server echoed
            return {"refused": unforeseen(fault, "rotate").message, "told": list(lines)}
        rotation = result["secretRotation"]
        moved = parse_timestamp(rotation["lastRotatedAt"]) > parse_timestamp(look["last_rotated_at"])
        return {
            "changed": bool(result["changed"]),
            "again": moved,
            "outcome": result["outcome"],
            "secretRotation": rotation,
            "diff": result["diff"],
            "told": [*lines, result["msg"]],
        }

    def _proved(self, look: Data, lines: Sequence[str]) -> dict[str, Any]:
        leaked_id = self.run["leaked_secret_id"]
        if not leaked_id or self.why_deliver_only:
            return {"told": list(lines)}
        asked = partial(_handover_look.proof, self.okta, look["credentials"]["active"], look["leaked"], leaked_id)
        found, fault = tried(asked, "prove that the leaked secret is refused")
        proved, against = found or ("", fault)
        return {"told": [*lines, *([proved] if proved else [])], "refused": against}

    def _own(self, result: Data) -> Data:
        """What is of this run and this rotation."""
        same = result.get("run") == self.run["run"] and result.get("rotation_id") == self.rotation["rotation_id"]
        return result if same else {}


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _as_data(standing: rule.Standing | None) -> dict[str, Any] | None:
    """As a result of a task holds it."""
    if standing is None:
        return None
    data = asdict(standing)
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in data.items()}


def _as_standing(data: Data) -> rule.Standing:
    moments = {
        key: datetime.fromisoformat(data[key]) if data[key] else None
        for key in ("last_rotated_at", "next_rotation_at", "now")
    }
    return rule.Standing(**{**data, **moments})
