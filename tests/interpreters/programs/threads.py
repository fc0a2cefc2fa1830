# Threads, and processes that they start: the same sum by each way.
import hashlib
import subprocess
import threading

found = {}


def digest(number):
    text = (str(number) * 1000).encode()
    inner = hashlib.sha256(text).hexdigest()
    outer = subprocess.run(["sha256sum"], input=text, capture_output=True, check=True).stdout[:64].decode()
    found[number] = inner == outer


threads = [threading.Thread(target=digest, args=(number,)) for number in range(24)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(found), all(found.values()), sum(range(1000000)))
