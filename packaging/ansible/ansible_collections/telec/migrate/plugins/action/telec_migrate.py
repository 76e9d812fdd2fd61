# SPDX-License-Identifier: MIT
"""The part of telec_migrate that runs on the controller: brings the package to the host, beside the module.

One copy and one start of python for each host, whatever is to be done there.
"""

from __future__ import annotations

import os

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        if arguments.get("package"):
            package = self.find(arguments["package"])
            if package is None:
                result.update(failed=True, msg="package: there is no file '%s', neither below '%s' nor among the files of "
                                               "the role and the playbook" % (arguments["package"], os.getcwd()))
                return result
            # Goes with the directory, at the end of the task.
            there = self._connection._shell.join_path(self._make_tmp_path(), "telec.deb")
            arguments["package"] = self._transfer_file(package, there)
        result.update(self._execute_module(module_args=arguments, task_vars=task_vars))
        return result

    def cleanup(self, force=False):
        # A host that is lost is unreachable; that nothing could be tidied up there must not make it a failure of the task.
        try:
            super().cleanup(force)
        except AnsibleConnectionFailure:
            pass

    def find(self, name):
        """The file that is meant: as whoever started Ansible would name it, or else one of the role or the playbook."""
        local = os.path.abspath(os.path.expanduser(name))
        if os.path.isfile(local):
            return local
        try:
            return self._find_needle("files", name)
        except AnsibleError:
            return None
