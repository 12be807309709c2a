# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWX 24 stores of each kind of object, written by hand from its API: type, writable fields, what points where."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple


class Kind(NamedTuple):
    """``fields`` are the writable ones with their defaults, ``links`` those that hold an id of another kind.

    ``many`` are lists of ids, which have an endpoint of their own. ``ignored`` fields may be sent and have no effect.
    """

    type: str
    fields: dict[str, Any]
    links: Mapping[str, str] = MappingProxyType({})
    needed: tuple[str, ...] = ("name",)
    many: Mapping[str, str] = MappingProxyType({})
    ignored: tuple[str, ...] = ()


_NAMED = {"name": "", "description": ""}
_ORGANIZATION = {"organization": "organizations"}
_PROMPTS = (
    "diff_mode",
    "variables",
    "limit",
    "tags",
    "skip_tags",
    "job_type",
    "verbosity",
    "inventory",
    "credential",
    "execution_environment",
    "forks",
    "instance_groups",
    "job_slice_count",
    "labels",
    "timeout",
    "scm_branch",
)
NODES = "workflow_job_template_nodes"

KINDS = {
    "organizations": Kind("organization", {**_NAMED}),
    "credential_types": Kind(
        "credential_type",
        {**_NAMED, "kind": "cloud", "inputs": {}, "injectors": {}},
        needed=("name", "kind"),
        ignored=("managed",),
    ),
    "credentials": Kind(
        "credential",
        {**_NAMED, "inputs": {}},
        {**_ORGANIZATION, "credential_type": "credential_types"},
        needed=("name", "credential_type"),
    ),
    "execution_environments": Kind(
        "execution_environment",
        {**_NAMED, "image": "", "pull": ""},
        {**_ORGANIZATION, "credential": "credentials"},
        needed=("name", "image"),
    ),
    "projects": Kind(
        "project",
        {
            **_NAMED,
            "scm_type": "",
            "scm_url": "",
            "scm_branch": "",
            "scm_refspec": "",
            "scm_clean": False,
            "scm_delete_on_update": False,
            "scm_track_submodules": False,
            "scm_update_on_launch": False,
            "scm_update_cache_timeout": 0,
            "allow_override": False,
            "timeout": 0,
            "local_path": "",
        },
        {**_ORGANIZATION, "credential": "credentials", "default_environment": "execution_environments"},
    ),
    "inventories": Kind(
        "inventory",
        {**_NAMED, "variables": "", "kind": "", "host_filter": None},
        _ORGANIZATION,
        needed=("name", "organization"),
    ),
    "hosts": Kind(
        "host",
        {**_NAMED, "variables": "", "enabled": True},
        {"inventory": "inventories"},
        needed=("name", "inventory"),
    ),
    "inventory_sources": Kind(
        "inventory_source",
        {
            **_NAMED,
            "source": "",
            "source_path": "",
            "source_vars": "",
            "overwrite": False,
            "overwrite_vars": False,
            "update_on_launch": False,
            "update_cache_timeout": 0,
            "timeout": 0,
            "verbosity": 1,
            "limit": "",
            "scm_branch": "",
        },
        {
            "inventory": "inventories",
            "source_project": "projects",
            "credential": "credentials",
            "execution_environment": "execution_environments",
        },
        needed=("name", "inventory", "source"),
    ),
    "job_templates": Kind(
        "job_template",
        {
            **_NAMED,
            "job_type": "run",
            "playbook": "",
            "scm_branch": "",
            "forks": 0,
            "limit": "",
            "verbosity": 0,
            "extra_vars": "",
            "timeout": 0,
            "survey_enabled": False,
            "allow_simultaneous": False,
            "job_slice_count": 1,
            **{f"ask_{prompt}_on_launch": False for prompt in _PROMPTS},
        },
        {"inventory": "inventories", "project": "projects", "execution_environment": "execution_environments"},
        needed=("name", "project", "playbook"),
        many={"credentials": "credentials"},
        # It is that of the project.
        ignored=("organization",),
    ),
    "workflow_job_templates": Kind(
        "workflow_job_template",
        {
            **_NAMED,
            "extra_vars": "",
            "survey_enabled": False,
            "allow_simultaneous": False,
            "limit": None,
            "scm_branch": None,
        },
        {**_ORGANIZATION, "inventory": "inventories"},
    ),
    NODES: Kind(
        "workflow_job_template_node",
        {"identifier": "", "extra_data": {}, "all_parents_must_converge": False},
        {"workflow_job_template": "workflow_job_templates", "unified_job_template": "unified_job_templates"},
        needed=("workflow_job_template", "identifier"),
        many={"success_nodes": NODES, "failure_nodes": NODES, "always_nodes": NODES},
        ignored=("type",),
    ),
    "workflow_approval_templates": Kind(
        "workflow_approval_template",
        {**_NAMED, "timeout": 0},
    ),
    "schedules": Kind(
        "schedule",
        {**_NAMED, "rrule": "", "enabled": True, "extra_data": {}},
        {"unified_job_template": "unified_job_templates"},
        needed=("name", "rrule", "unified_job_template"),
    ),
}

#: What ids of ``unified_job_templates`` may be of.
UNIFIED = ("job_templates", "projects", "inventory_sources", "workflow_job_templates", "workflow_approval_templates")
#: What goes with what is deleted, and which links become empty.
CASCADE = {
    "inventories": (("hosts", "inventory"), ("inventory_sources", "inventory")),
    "projects": (("inventory_sources", "source_project"),),
    "job_templates": (("schedules", "unified_job_template"),),
    "workflow_job_templates": ((NODES, "workflow_job_template"), ("schedules", "unified_job_template")),
}
