#!/usr/bin/python
# SPDX-License-Identifier: MIT
"""Ansible module: installs telec where it is told to, runs `telec migrate` and hands its document on."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: telec_migrate
short_description: Run what is pending of TeleClaude's migrations
version_added: "0.1.0"
description:
  - Runs C(telec migrate --json) as the user of the connection, or for many users as root.
  - In check mode it is a dry run. With diff, the ids that would run or did run.
options:
  package:
    description:
      - A deb on the controller. It is installed, as root, where another version is, and then telec is run.
      - In check mode it is unpacked beside the installed one and looked at, and removed again.
    type: path
  all_users:
    description: As root, for every user who has data, each as that user.
    type: bool
    default: false
  users:
    description: As root, for these users. Not with O(all_users).
    type: list
    elements: str
    default: []
  from_version:
    description: Only versions after this one.
    type: str
  to_version:
    description: Only versions up to this one.
    type: str
  state_file:
    description: Where to record. Not with O(all_users) or O(users).
    type: path
  migrations_dir:
    description: The tree, where it is another one than the installed one or O(package)'s.
    type: path
  executable:
    description: The telec to run. C(/usr/bin/telec), and in check mode that of O(package).
    type: path
  lock_timeout:
    description: Seconds to wait for another run.
    type: int
    default: 60
  busy_is_ok:
    description: Another run under way (exit 75) is no failure.
    type: bool
    default: false
  prove:
    description: After a run that went well, look once more whether anything is pending, and fail where it is.
    type: bool
    default: false
author:
  - telec contributors
"""

EXAMPLES = r"""
- name: Every user of the host, as root
  telec.migrate.telec_migrate:
    all_users: true

- name: The new version, on every host where it is not installed yet, with a proof that nothing is left to do
  telec.migrate.telec_migrate:
    package: telec_1.1.0-1_amd64.deb
    all_users: true
    prove: true

- name: What that version would do, before it is installed
  telec.migrate.telec_migrate:
    package: telec_1.1.0-1_amd64.deb
    all_users: true
  check_mode: true
"""

RETURN = r"""
installed:
  description: Whether the package was installed, or would be.
  type: bool
  returned: with package
document:
  description: What telec migrate --json printed.
  type: dict
  returned: when telec ran
exit:
  description: The exit status of telec.
  type: int
  returned: when telec ran
ids:
  description: The migrations that ran or would run, with the user before a colon where there are many.
  type: list
  elements: str
  returned: when telec ran
"""

import atexit
import json
import os
import shutil
import tempfile

from ansible.module_utils.basic import AnsibleModule

CHANGED = ("applied", "already_present", "pending")


def ids_of(document, states=CHANGED):
    """'1.0.0/001_x.py', or 'ada: 1.0.0/001_x.py' in a document for many users."""
    if "users" not in document:
        return [entry["id"] for entry in document["migrations"] if entry["state"] in states]
    ids = []
    for user in document["users"]:
        own = user["document"]
        ids += ["%s: %s" % (user["user"], entry["id"]) for entry in (own["migrations"] if own else [])
                if entry["state"] in states]
    return ids


def failure_of(document, status):
    """One line that says what is wrong."""
    error = document.get("error") or {}
    where = error.get("id") or error.get("code") or "telec"
    line = "%s: %s" % (where, error.get("message", "exit status %d" % status))
    for user in document.get("users", []):
        if user["state"] in ("failed", "deferred"):
            line += "; %s %s: %s" % (user["user"], user["state"], user["reason"])
    return line


def must(module, command):
    """What this command says; its failure is the module's."""
    status, out, err = module.run_command(command, environ_update={"DEBIAN_FRONTEND": "noninteractive"})
    if status != 0:
        module.fail_json(msg="%s ended with %d: %s" % (" ".join(command), status, err.strip() or out.strip()),
                         stdout=out, stderr=err)
    return out.strip()


def is_installed(module, package):
    """Whether exactly this version of it is installed and configured."""
    version = must(module, ["dpkg-deb", "-f", package, "Version"])
    status, out, _ = module.run_command(["dpkg-query", "-W", "-f", "${db:Status-Abbrev}${Version}", "telec"])
    return status == 0 and out == "ii " + version


def unpack(module, package):
    """A directory with the files of the package, which every user may read, until the module ends."""
    folder = tempfile.mkdtemp(prefix="telec-staged.", dir="/var/tmp")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    must(module, ["dpkg-deb", "-x", package, folder])
    os.chmod(folder, 0o755)
    return folder


def run(module, command):
    """The exit status and the document of a telec."""
    status, out, err = module.run_command(command)
    try:
        return status, json.loads(out)
    except ValueError:
        module.fail_json(msg="%s ended with %d and printed no document: %s" % (command[0], status, err.strip()),
                         exit=status)


def main():
    module = AnsibleModule(
        argument_spec={
            "package": {"type": "path"},
            "all_users": {"type": "bool", "default": False},
            "users": {"type": "list", "elements": "str", "default": []},
            "from_version": {"type": "str"},
            "to_version": {"type": "str"},
            "state_file": {"type": "path"},
            "migrations_dir": {"type": "path"},
            "executable": {"type": "path"},
            "lock_timeout": {"type": "int", "default": 60},
            "busy_is_ok": {"type": "bool", "default": False},
            "prove": {"type": "bool", "default": False},
        },
        mutually_exclusive=[("all_users", "users")],
        supports_check_mode=True,
    )
    given = module.params
    result = {"changed": False}
    place = ""
    if given["package"]:
        result["installed"] = result["changed"] = not is_installed(module, given["package"])
        if module.check_mode:
            place = unpack(module, given["package"])
            given["migrations_dir"] = given["migrations_dir"] or place + "/usr/share/telec/migrations"
        elif result["installed"]:
            must(module, ["dpkg", "-i", "--force-confold", given["package"]])
    command = [given["executable"] or place + "/usr/bin/telec", "migrate", "--json", "--lock-timeout", str(given["lock_timeout"])]
    for option in ("from", "to"):
        if given[option + "_version"]:
            command += ["--" + option, given[option + "_version"]]
    for option in ("state_file", "migrations_dir"):
        if given[option]:
            command += ["--" + option.replace("_", "-"), given[option]]
    if given["all_users"]:
        command.append("--all-users")
    for user in given["users"]:
        command += ["--user", user]
    status, document = run(module, command + (["--dry-run"] if module.check_mode else []))
    ids = ids_of(document)
    result.update(changed=result["changed"] or bool(ids), exit=status, ids=ids, document=document)
    if module._diff:  # pylint: disable=protected-access
        result["diff"] = {"before": "", "after": "".join(line + "\n" for line in ids), "after_header": "migrations"}
    if status == 0 and given["prove"] and not module.check_mode:
        looked, left = run(module, command + ["--dry-run", "--check"])
        if looked != 0:
            module.fail_json(msg="still pending: %s" % (", ".join(ids_of(left)) or failure_of(left, looked)), **result)
    if status == 0 or (status == 75 and given["busy_is_ok"]):
        module.exit_json(**result)
    module.fail_json(msg=failure_of(document, status), **result)


if __name__ == "__main__":
    main()
