#!/bin/sh
# Written by ingot. Runs the scripts of the first boot, in order, each at most
# once: one that was cut short, by a power failure or by its own reboot, is recorded
# as interrupted and not run again. A script that fails does not keep the others
# from running. What each of them printed is in /var/log/ingot, what became of them
# in /var/lib/ingot/firstboot.json.

pending=/usr/local/lib/ingot/firstboot.d
logs=/var/log/ingot
state=/var/lib/ingot
result=$state/firstboot.json
umask 077
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root

[ -d "$pending" ] || exit 0
mkdir -p "$logs" "$state" || exit 1
failed=0
scripts=0

now() { date -u +%Y-%m-%dT%H:%M:%SZ; }

# record STATE: writes the result from what each script left, complete or not at all.
record() {
  {
    printf '{"state":"%s","deploy":' "$1"
    cat "$pending/deploy"
    printf ',"failed":%d,"scripts":[' "$failed"
    comma=
    for done in "$pending"/*.done; do
      [ -e "$done" ] || continue
      printf '%s\n' "$comma"
      cat "$done"
      comma=,
    done
    printf ']}\n'
  } >"$result.part" && sync && mv "$result.part" "$result"
}

# entry SCRIPT OUTCOME CODE STARTED: what became of one script.
entry() {
  {
    printf '{"name":'
    cat "${1%.script}.name"
    printf ',"outcome":"%s","code":%d,"started":"%s","ended":"%s","log":"%s"}' "$2" "$3" "$4" "$(now)" "$log"
  } >"${1%.script}.part" && mv "${1%.script}.part" "${1%.script}.done"
}

for script in "$pending"/*.script; do
  [ -e "$script" ] || continue
  base=${script%.script}
  number=${base##*/}
  log=$logs/firstboot-$number.log
  scripts=$((scripts + 1))
  if [ -e "$base.done" ]; then
    case $(cat "$base.done") in *'"outcome":"done"'*) ;; *) failed=$((failed + 1)) ;; esac
    continue
  fi
  if [ -e "$base.started" ]; then
    failed=$((failed + 1))
    entry "$script" interrupted -1 "$(cat "$base.started")"
    continue
  fi
  began=$(now)
  printf '%s\n' "$began" >"$base.started"
  record running
  sync
  printf 'ingot: first boot: %s: begins\n' "$(cat "$base.name")"
  "$script" >"$log" 2>&1 </dev/null
  code=$?
  cat "$log"
  outcome=done
  if [ "$code" -ne 0 ]; then
    outcome=failed
    failed=$((failed + 1))
  fi
  entry "$script" "$outcome" "$code" "$began"
  printf 'ingot: first boot: %s: %s, exit code %d\n' "$(cat "$base.name")" "$outcome" "$code"
done

if [ "$failed" -eq 0 ]; then
  final=done
else
  final=failed
fi
record "$final"
printf 'ingot: first boot: %d of %d scripts failed: %s\n' "$failed" "$scripts" "$result"
# The scripts may hold secrets.
rm -rf "$pending"
rm -f /etc/systemd/system/multi-user.target.wants/ingot-firstboot.service /etc/systemd/system/ingot-firstboot.service
rm -f /etc/init.d/ingot-firstboot /etc/rc[2345].d/S99ingot-firstboot
rm -f /usr/local/lib/ingot/firstboot
sync
[ "$final" = done ]
