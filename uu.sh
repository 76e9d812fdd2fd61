. /tmp/fx/lib.sh; mount --bind $HH/pw /etc/passwd; export HOME=$HH/roothome; cd /; exec 2>&1
r migrate --user alice; r migrate --user alice -v;  r migrate --user alice --hook; j migrate --user alice;  jq -c '.users[]|del(.document)' /tmp/fx/j.out; jq -c '.users[].document|[.ok,.error.code,.error.message,.error.hint]' /tmp/fx/j.out
r migrate --all-users -n --from 1.1.0 --to 1.1.0 --check;
r migrate --user dave --only 1.1.0/002_slow.py --user-timeout 1; r migrate --user dave --only 1.1.0/002_slow.py --timeout 1;
echo == lock; flock $HH/homes/dave/.teleclaude/migration_state.json.lock -c 'sleep 4' & sleep .3; r migrate --user dave --only 1.1.0/002_slow.py --lock-timeout 0; r migrate --user dave --only 1.1.0/002_slow.py; r migrate --all-users --hook --only 1.1.0/002_slow.py --user-timeout 1;wait
echo == python; r migrate --user dave --python /nonexist; r migrate --user dave --python ./x; TELEC_PYTHON=/nonexist r migrate --user dave
echo == badtree; chmod 777 $HH/mig; r migrate --user dave; r migrate --all-users --hook; chmod 755 $HH/mig; r migrate --user dave --migrations-dir /nonexist; r migrate --user dave --only 9.9.9/001_x.py; r migrate --user dave --from 2.0.0 --to 1.0.0; r migrate --all-users --strict
echo == sig; $T migrate --user dave --only 1.1.0/002_slow.py & p=$!; sleep 1; kill -TERM $p; sleep .3; kill -TERM $p; wait $p; echo rc $?
$T migrate --all-users --only 1.1.0/002_slow.py & p=$!; sleep 1; kill -TERM $p; sleep .3; kill -TERM $p; wait $p; echo rc $?
