"""Do the handbook's proxies work as it says? Its own lines, word for word, with Debian's nginx and caddy.

    sudo unshare --mount --net python3 tests/deploy/proxies.py PROGRAM PAGE MODELS

PROGRAM is `portico`, PAGE the folder of a built page, MODELS a folder of models. It runs in a network and a
copy of /etc of its own, so that ports and paths are the handbook's and nothing of the machine is changed.
For each proxy: HTTPS by a house's own certificate, HTTP/2, the page, ranges of a model's weights, an answer
that comes in pieces, a stream that is silent for longer than a minute, uploads up to the limit and beyond,
and whose address counts when passwords are tried.
"""

import hashlib
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HANDBOOK = pathlib.Path(__file__).parents[2] / "docs/handbook/en/proxy.md"
NAME = "chat.example.org"
PAGE_HEADERS = {"portico-page": "1", "content-type": "application/json"}
QUIET_S = 75


def run(*command, **more):
    return subprocess.run(command, check=True, **more)


def snippets():
    """The handbook's blocks by their language."""
    found = re.findall(r"```(\w+)\n(.*?)```", HANDBOOK.read_text(), re.DOTALL)
    return {language: text for language, text in found}


def enter(folder):
    """A machine of its own: /etc can be written, ports are free."""
    shutil.copytree("/etc", folder / "etc", symlinks=True)
    run("mount", "--make-rprivate", "/")
    run("mount", "--bind", folder / "etc", "/etc")
    run("ip", "link", "set", "lo", "up")
    with open("/etc/hosts", "a") as hosts:
        hosts.write(f"127.0.0.1 {NAME}\n")


def certificate():
    """A house's authority that the machine trusts, and what it vouches for."""
    os.makedirs("/etc/portico", exist_ok=True)
    os.chdir("/etc/portico")
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    run("openssl", "req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "90",
        "-subj", "/CN=House", "-addext", "keyUsage=critical,keyCertSign", stderr=subprocess.DEVNULL)
    run("openssl", "req", *new_key, "-keyout", "chat.key", "-out", "chat.csr", "-subj", f"/CN={NAME}",
        stderr=subprocess.DEVNULL)
    pathlib.Path("san").write_text(f"subjectAltName=DNS:{NAME}\n")
    run("openssl", "x509", "-req", "-in", "chat.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "90",
        "-extfile", "san", "-out", "chat.pem", stderr=subprocess.DEVNULL)
    run("chmod", "644", "chat.key")
    bundle = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
    bundle.write_text(bundle.read_text() + pathlib.Path("ca.pem").read_text())


class Upstream(BaseHTTPRequestHandler):
    """Six pieces of an answer, half a second between."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "11")
        self.end_headers()
        self.wfile.write(b'{"data":[]}')

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        for n in range(6):
            choice = {"index": 0, "delta": {"content": f"word{n} "}, "finish_reason": "stop" if n == 5 else None}
            piece = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
            self.wfile.write(b"data: " + json.dumps(piece).encode() + b"\n\n")
            self.wfile.flush()
            time.sleep(0.5)
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def log_message(self, *_):
        pass


class Connection(http.client.HTTPSConnection):
    """To the proxy, from an address of this machine."""

    def __init__(self, source="127.0.0.1"):
        super().__init__(NAME, context=ssl.create_default_context(), timeout=60)
        self.source = source

    def connect(self):
        plain = socket.create_connection(("127.0.0.1", 443), 60, source_address=(self.source, 0))
        self.sock = self._context.wrap_socket(plain, server_hostname=NAME)


def ask(method, path, body=None, headers=None, source="127.0.0.1"):
    connection = Connection(source)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


def until(what, holds):
    start = time.time()
    while not holds():
        assert time.time() - start < 30, what
        time.sleep(0.1)


def answers():
    try:
        return ask("GET", "/healthz")[0] == 200
    except OSError:
        return False


class House:
    """`portico serve` with the handbook's lines, and somebody signed in."""

    def __init__(self, program, page, models, folder):
        self.program, self.models = program, models
        self.data = folder / "data"
        self.data.mkdir()
        upstream = ThreadingHTTPServer(("127.0.0.1", 8000), Upstream)
        threading.Thread(target=upstream.serve_forever, daemon=True).start()
        more = f"""
[[upstreams]]
id = "u"
url = "http://127.0.0.1:8000/v1"

[[models]]
id = "paced"
endpoints = [{{ upstream = "u", model = "m" }}]
"""
        (self.data / "portico.toml").write_text(snippets()["toml"] + more)
        self.portico("keys", "create", "--name", "anyone")
        key = self.portico("keys", "create", "--name", "admin", "--admin")
        self.key = {"authorization": f"Bearer {key.split()[-1]}"}
        self.portico("collections", "create", "Haus", "--id", "haus", "--embedder", "none")
        serve = [program, "--data", self.data, "--models-dir", models, "serve", "--page", page]
        self.server = subprocess.Popen(serve, stdout=subprocess.PIPE, text=True)
        line = self.server.stdout.readline()
        assert f"https://{NAME}/" in line, line

    def portico(self, *arguments):
        command = [self.program, "--data", self.data, "--models-dir", self.models, *arguments]
        environment = {**os.environ, "LANG": "C"}
        return run(*command, stdout=subprocess.PIPE, text=True, env=environment).stdout

    def sign_in(self, name):
        link = self.portico("people", "link", "--admin")
        secret = re.search(r"#/link/([0-9a-f]+)", link).group(1)
        body = {"secret": secret, "name": name, "password": "vier lila Kraniche am Wehr 77"}
        status, headers, said = ask("POST", "/api/links/open", json.dumps(body), PAGE_HEADERS)
        assert status == 200, said
        cookie = headers["set-cookie"]
        assert cookie.startswith("__Host-") and "; Secure" in cookie, cookie
        return {**PAGE_HEADERS, "cookie": cookie.split(";")[0]}


def listens(headers, heard):
    """Notes when something comes from a stream that says little."""
    connection = Connection()
    connection.request("GET", "/api/sync/events", headers=headers)
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    start = time.time()
    while time.time() - start < QUIET_S:
        assert answer.read1(4096), "it was cut off"
        heard.append(time.time() - start)
    connection.close()


def check(house, proxy):
    until(proxy, answers)
    run("curl", "-fsS", f"https://{NAME}/healthz", stdout=subprocess.DEVNULL)
    version = run("curl", "-fsS", "-o", "/dev/null", "-w", "%{http_version}", f"https://{NAME}/",
                  stdout=subprocess.PIPE, text=True).stdout
    assert version == "2", version
    signed_in = house.sign_in(f"ada-{proxy}")
    heard = []
    listener = threading.Thread(target=listens, args=(signed_in, heard), daemon=True)
    listener.start()

    status, headers, page = ask("GET", "/")
    assert status == 200 and b"<html" in page.lower(), status
    print(f"{proxy}: page, {len(page)} bytes, HTTP/{version}")

    listed = json.loads(ask("GET", "/v1/models", headers=house.key)[2])
    model = next(m["id"] for m in listed["data"] if ask("GET", f"/weights/{m['id']}/manifest")[0] == 200)
    chunk = json.loads(ask("GET", f"/weights/{model}/manifest")[2])["chunks"][0]["sha256"]
    path = f"/weights/chunks/{chunk}"
    status, headers, part = ask("GET", path, headers={"range": "bytes=1000-1999"})
    assert status == 206 and len(part) == 1000, status
    whole = ask("GET", path)[2]
    assert hashlib.sha256(whole).hexdigest() == chunk and whole[1000:2000] == part
    print(f"{proxy}: {len(whole)} bytes of weights, and a range of them")

    body = {"model": "paced", "stream": True, "messages": [{"role": "user", "content": "Count."}]}
    connection = Connection()
    start = time.time()
    connection.request("POST", "/v1/chat/completions", json.dumps(body), {**house.key, "content-type": "application/json"})
    answer, came = connection.getresponse(), []
    while piece := answer.read1(65536):
        if b"word" in piece:
            came.append(time.time() - start)
    assert len(came) >= 5 and came[0] < 1 and came[-1] - came[0] > 1.5, came
    print(f"{proxy}: an answer in {len(came)} pieces, after {came[0]:.2f} to {came[-1]:.2f} s")

    for n_mib, expected in [(200, 300), (257, 413)]:
        status, said = 0, b""
        start = time.time()
        try:
            upload = f"/api/collections/haus/documents?name={proxy}-{n_mib}.bin"
            status, _, said = ask("POST", upload, b"\x01" * (n_mib << 20), house.key)
        except OSError:
            # Who is told so early that it is too much finds the connection closed.
            status = 413 if expected == 413 else 0
        assert status < 300 if expected == 300 else status == 413, (n_mib, status, said[:300])
        print(f"{proxy}: an upload of {n_mib} MiB: {status}, {time.time() - start:.1f} s")

    # The proxy's word counts for who tries passwords: not the client's own, and not for all at once.
    def guess(n, source, forged=None):
        body = json.dumps({"name": f"nobody{n}", "password": "wrong"})
        headers = {**PAGE_HEADERS, **({"x-forwarded-for": forged} if forged else {})}
        return ask("POST", "/api/session", body, headers, source)[0]

    source = {"nginx": "127.0.1.1", "caddy": "127.0.2.1"}[proxy]
    # At once: each second gives some guesses back.
    with ThreadPoolExecutor(50) as pool:
        refused = list(pool.map(lambda n: guess(n, source, f"10.9.8.{n}"), range(50)))
    assert set(refused) == {401, 429}, refused
    assert guess(99, source.replace("1", "2", 2)) == 401
    assert ask("GET", "/metrics")[0] in (401, 403)
    print(f"{proxy}: {refused.count(401)} guesses from one address, then none; another may")

    listener.join()
    gaps = [later - earlier for earlier, later in zip(heard, heard[1:])]
    assert heard and heard[-1] >= QUIET_S - 1 and max(gaps) < 16, heard
    print(f"{proxy}: a quiet stream is open after {heard[-1]:.0f} s, something every {max(gaps):.1f} s")

    report = subprocess.run([house.program, "--data", house.data, "doctor", "--json"], stdout=subprocess.PIPE, text=True)
    verdicts = {c["name"]: c["verdict"] for c in json.loads(report.stdout)["checks"] if c["name"] in ("public_url", "certificate")}
    assert verdicts == {"public_url": "good", "certificate": "good"}, report.stdout
    print(f"{proxy}: doctor finds public_url and certificate good")


def main():
    program, page, models = (pathlib.Path(path).resolve() for path in sys.argv[1:])
    folder = pathlib.Path(tempfile.mkdtemp(prefix="portico-proxies-"))
    running = []
    try:
        enter(folder)
        certificate()
        house = House(program, page, models, folder)
        running.append(house.server)

        site = pathlib.Path("/etc/nginx/sites-enabled")
        (site / "default").unlink(missing_ok=True)
        (site / "portico").write_text(snippets()["nginx"])
        run("nginx", "-v")
        run("nginx", "-t", stderr=subprocess.DEVNULL)
        nginx = subprocess.Popen(["nginx", "-g", "daemon off;"])
        running.append(nginx)
        check(house, "nginx")
        nginx.terminate()
        nginx.wait()

        lines = snippets()["caddyfile"].replace("# tls", "tls")
        pathlib.Path("/etc/caddy/Caddyfile").write_text(lines)
        run("caddy", "version")
        caddyfile = ["--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        run("caddy", "validate", *caddyfile, **quiet)
        running.append(subprocess.Popen(["caddy", "run", *caddyfile], **quiet))
        check(house, "caddy")
    finally:
        for process in reversed(running):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                # Caddy waits for its streams to end.
                process.kill()
        os.chdir("/")
        run("umount", "/etc")
        shutil.rmtree(folder)


main()
