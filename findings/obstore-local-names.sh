#!/usr/bin/env bash
# obstore 0.12.1, LocalStore: a name that ends in "#" and digits is reserved.
#
# Expected: any object key that S3 takes works on a local store too, and whatever lies in the folder is listed.
# Seen: writes are staged in files called NAME#1, NAME#2 ... A staged file that a killed process left behind is not
# listed, cannot be read and cannot be deleted through the library; and an object whose own key ends that way
# ("print#2") is refused, with a message that speaks of a directory.
# Consequence: a local folder must be swept by the file system, and names given by people must not become keys.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check obstore==0.12.1
"$folder/venv/bin/python" - "$folder/store" > "$folder/seen" <<'PY'
import os, sys
import obstore
from obstore.store import LocalStore, MemoryStore

root = sys.argv[1]
os.makedirs(root)
store = LocalStore(root)
for name in ("print.jpg", "print.jpg#1"):
    with open(os.path.join(root, name), "w") as file:
        file.write("bytes")
print("on disk:", sorted(os.listdir(root)))
print("listed:", sorted(entry["path"] for batch in obstore.list(store) for entry in batch))
for call in (obstore.head, obstore.delete):
    try:
        call(store, "print.jpg#1")
        print(call.__name__, "done")
    except Exception as error:
        print(call.__name__, "refused:", str(error).splitlines()[0])
try:
    obstore.put(store, "edition#2", b"bytes")
    print("put done")
except Exception as error:
    print("put refused:", str(error).splitlines()[0])
memory = MemoryStore()
obstore.put(memory, "edition#2", b"bytes")
print("the same key in memory:", [entry["path"] for batch in obstore.list(memory) for entry in batch])
PY
cat "$folder/seen"
diff "$folder/seen" - <<'SEEN'
on disk: ['print.jpg', 'print.jpg#1']
listed: ['print.jpg']
head refused: Generic LocalFileSystem error: Filenames containing trailing '/#\d+/' are not supported: print.jpg#1
delete refused: Generic LocalFileSystem error: Filenames containing trailing '/#\d+/' are not supported: print.jpg#1
put refused: Generic LocalFileSystem error: Filenames containing trailing '/#\d+/' are not supported: edition#2
the same key in memory: ['edition#2']
SEEN
echo "as described"
