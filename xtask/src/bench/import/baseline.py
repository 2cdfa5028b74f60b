"""What an administrator would write in an hour: the log's sessions into a database, with the modules that Python has.

    baseline.py import LOG DATABASE
    baseline.py measure DATABASE COMMAND...

The second form runs a command, and prints its seconds, the processor's, its peak memory in MiB, and the sessions in
the database.
"""

import csv
import sqlite3
import subprocess
import sys
import time

START, STOP = "1", "2"


def load(log, path):
    database = sqlite3.connect(path)
    database.execute(
        "CREATE TABLE sessions (key TEXT PRIMARY KEY, server TEXT, user TEXT, calling TEXT, address TEXT, start INTEGER,"
        " stop INTEGER, seconds INTEGER, octets_in INTEGER, octets_out INTEGER, cause INTEGER)"
    )
    database.execute("CREATE INDEX by_user ON sessions (user, start)")
    database.execute("CREATE INDEX by_address ON sessions (address, start)")
    connected, rows = {}, []

    def flush():
        database.executemany("INSERT OR IGNORE INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        database.commit()
        rows.clear()

    with open(log, newline="", encoding="utf-8") as file:
        for record in csv.reader(file):
            if record[4] != "4":
                continue
            key = f"{record[11]}|{record[26]}|{record[41] or record[35]}"
            if record[31] == START:
                connected[key] = record
            elif record[31] == STOP:
                start = connected.pop(key, record)
                rows.append((
                    key, record[11], start[5], start[8], start[10], int(start[17]), int(record[17]), int(record[37]),
                    int(record[33]), int(record[34]), int(record[40]),
                ))
                if len(rows) == 10_000:
                    flush()
    flush()
    database.close()


def measure(path, command):
    import resource

    began = time.monotonic()
    subprocess.run(command, check=True, stdout=sys.stderr)
    seconds = time.monotonic() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Linux counts kibibytes, macOS bytes.
    mebibytes = used.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    sessions = sqlite3.connect(path).execute("SELECT count(*) FROM sessions").fetchone()[0]
    print(f"{seconds:.2f} {used.ru_utime + used.ru_stime:.2f} {mebibytes:.1f} {sessions}")


if sys.argv[1] == "import":
    load(*sys.argv[2:])
else:
    measure(sys.argv[2], sys.argv[3:])
