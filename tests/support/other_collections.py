# SPDX-FileCopyrightText: secretops.infisical contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-ins for the modules of other collections that the role uses: their released options, and an API of a file.

The options are those of kubernetes.core 6, awx.awx 24 and ansible.windows 2, by name and type; tests/tower compares.
"""

from __future__ import annotations

from pathlib import Path

_K8S = """
import base64, json, os
from ansible.module_utils.basic import AnsibleModule

STRINGS = ("context host username proxy no_proxy kind name namespace generate_name impersonate_user").split()
SPEC = {name: {"type": "str"} for name in STRINGS}
SPEC.update(
    api_key={"no_log": True}, password={"no_log": True}, kubeconfig={"type": "raw"},
    validate_certs={"type": "bool", "aliases": ["verify_ssl"]}, ca_cert={"type": "path", "aliases": ["ssl_ca_cert"]},
    client_cert={"type": "path", "aliases": ["cert_file"]}, client_key={"type": "path", "aliases": ["key_file"]},
    proxy_headers={"type": "dict"}, persist_config={"type": "bool"},
    api_version={"default": "v1", "aliases": ["api", "version"]},
    resource_definition={"type": "raw", "aliases": ["definition", "inline"]}, src={"type": "path"},
    wait={"type": "bool", "default": False}, wait_sleep={"type": "int", "default": 5},
    wait_timeout={"type": "int", "default": 120}, wait_condition={"type": "dict"},
    merge_type={"type": "list", "elements": "str", "choices": ["merge", "strategic-merge"]},
    validate={"type": "dict"}, append_hash={"type": "bool", "default": False},
    apply={"type": "bool", "default": False}, template={"type": "raw"}, delete_options={"type": "dict"},
    continue_on_error={"type": "bool", "default": False}, force={"type": "bool", "default": False},
    state={"default": "present", "choices": ["present", "absent", "patched"]},
    label_selectors={"type": "list", "elements": "str"}, server_side_apply={"type": "dict"},
    delete_all={"type": "bool", "default": False, "aliases": ["all"]},
    hidden_fields={"type": "list", "elements": "str"}, impersonate_groups={"type": "list", "elements": "str"},
)


def merged(old, new):
    both = isinstance(old, dict) and isinstance(new, dict)
    return {**old, **{key: merged(old.get(key), value) for key, value in new.items()}} if both else new


def main():
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    wanted = module.params["resource_definition"]
    for value in wanted["data"].values():
        base64.b64decode(value, validate=True)
    api = json.load(open(API)) if os.path.exists(API) else {}
    key = "/".join(["secrets", wanted["metadata"]["namespace"], wanted["metadata"]["name"]])
    there = merged(api.get(key, {}), wanted)
    changed = api.get(key) != there
    api[key] = there
    if changed and not module.check_mode:
        json.dump(api, open(API, "w"))
    module.exit_json(changed=changed, result=there)


main()
"""

_CREDENTIAL = """
import json, os
from ansible.module_utils.basic import AnsibleModule

SPEC = {name: {"type": "str"} for name in "new_name copy_from description organization user team".split()}
SPEC.update(
    name={"required": True}, credential_type={"required": True}, inputs={"type": "dict", "no_log": True},
    update_secrets={"type": "bool", "default": True, "no_log": False},
    state={"choices": ["present", "absent", "exists"], "default": "present"},
    controller_host={"aliases": ["tower_host"]}, controller_username={"aliases": ["tower_username"]},
    controller_password={"no_log": True, "aliases": ["tower_password"]},
    controller_oauthtoken={"type": "raw", "no_log": True, "aliases": ["tower_oauthtoken"]},
    controller_config_file={"type": "path", "aliases": ["tower_config_file"]},
    validate_certs={"type": "bool", "aliases": ["tower_verify_ssl"]}, request_timeout={"type": "float"},
)


def main():
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    params = module.params
    api = json.load(open(API)) if os.path.exists(API) else {}
    before = api.get(params["name"], {})
    inputs = {
        key: before["inputs"][key] if value == "$encrypted$" else value for key, value in params["inputs"].items()
    }
    fields = ("name", "organization", "credential_type", "description")
    api[params["name"]] = {**{field: params[field] for field in fields}, "inputs": inputs}
    if not module.check_mode:
        json.dump(api, open(API, "w"))
    # It cannot compare what is encrypted.
    module.exit_json(changed=True)


main()
"""

_CONTROLLER_API = '''
import json, os
from ansible.plugins.lookup import LookupBase

DOCUMENTATION = """
name: controller_api
short_description: A stand-in
options:
  _terms: {description: The endpoint., required: true}
  query_params: {description: The query., type: dict, aliases: [query, data, filter, params]}
  return_objects: {description: Whether to return the objects of a list., type: bool, default: true}
"""


class LookupModule(LookupBase):
    def run(self, terms, variables=None, **kwargs):
        self.set_options(direct=kwargs)
        assert terms == ["credentials"]
        asked = self.get_option("query_params")
        api = json.load(open(API)) if os.path.exists(API) else {}
        names = {"name": "name", "organization__name": "organization", "credential_type__name": "credential_type"}
        assert set(asked) <= set(names)
        found = [each for each in api.values() if all(each.get(names[key]) == value for key, value in asked.items())]
        return [{**each, "inputs": {key: "$encrypted$" for key in each["inputs"]}} for each in found]
'''


_WIN_COPY = """
import json, os
from ansible.module_utils.basic import AnsibleModule

SPEC = {
    "content": {"type": "str"}, "dest": {"type": "path", "required": True}, "src": {"type": "path"},
    "backup": {"type": "bool", "default": False}, "force": {"type": "bool", "default": True},
    "local_follow": {"type": "bool", "default": True}, "remote_src": {"type": "bool", "default": False},
    "decrypt": {"type": "bool", "default": True},
}


def main():
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    api = json.load(open(API)) if os.path.exists(API) else {}
    key, content = module.params["dest"], module.params["content"]
    changed = api.get(key) != content
    api[key] = content
    if changed and not module.check_mode:
        json.dump(api, open(API, "w"))
    module.exit_json(changed=changed)


main()
"""

_WIN_SERVICE = """
import json, os
from ansible.module_utils.basic import AnsibleModule

SPEC = {
    "name": {"type": "str", "required": True}, "display_name": {"type": "str"}, "description": {"type": "str"},
    "path": {"type": "str"}, "username": {"type": "str"}, "password": {"type": "str", "no_log": True},
    "start_mode": {"choices": ["auto", "delayed", "disabled", "manual"]},
    "state": {"choices": ["absent", "paused", "started", "stopped", "restarted"]},
    "force_dependent_services": {"type": "bool", "default": False}, "dependencies": {"type": "list"},
    "dependency_action": {"choices": ["add", "remove", "set"], "default": "set"},
}


def main():
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    api = json.load(open(API)) if os.path.exists(API) else {}
    api.setdefault("services", []).append([module.params["name"], module.params["state"]])
    if not module.check_mode:
        json.dump(api, open(API, "w"))
    module.exit_json(changed=True)


main()
"""


def write(folder: Path) -> Path:
    """The path of collections that holds them; their API is the file api.json in it."""
    root = folder / "collections" / "ansible_collections"
    files = {
        "kubernetes/core/plugins/modules/k8s.py": f"#!/usr/bin/python\n{_K8S}",
        "awx/awx/plugins/modules/credential.py": f"#!/usr/bin/python\n{_CREDENTIAL}",
        "awx/awx/plugins/lookup/controller_api.py": _CONTROLLER_API,
        "ansible/windows/plugins/modules/win_copy.py": f"#!/usr/bin/python\n{_WIN_COPY}",
        "ansible/windows/plugins/modules/win_service.py": f"#!/usr/bin/python\n{_WIN_SERVICE}",
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            text.replace("API)", f"{str(api(folder))!r})").replace("(API,", f"({str(api(folder))!r},"), "utf-8"
        )
    return root.parent


def api(folder: Path) -> Path:
    return folder / "collections" / "api.json"
