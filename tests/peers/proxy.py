"""A line between the daemon and a server that breaks as it is told. TLS passes through untouched.

mode "pass": nothing is done to it; "cut": each connection ends after so many bytes from the server (cut_after, a function); "deaf": it is
accepted, and nothing is ever said.
"""
import socket
import threading


class Proxy(threading.Thread):
    def __init__(self, port):
        super().__init__(daemon=True)
        self.server_port = port
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.port = self.listener.getsockname()[1]
        self.mode, self.cut_after = "pass", lambda: 1 << 40
        self.cuts = 0
        self.held = []
        self.start()

    def run(self):
        while True:
            client, _ = self.listener.accept()
            if self.mode == "deaf":
                self.held.append(client)
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self.server_port), timeout=5)
                server.settimeout(None)
            except OSError:
                client.close()
                continue
            left = self.cut_after() if self.mode == "cut" else 1 << 40
            threading.Thread(target=self.copy, args=(client, server, 1 << 40), daemon=True).start()
            threading.Thread(target=self.copy, args=(server, client, left), daemon=True).start()

    def copy(self, source, target, left):
        try:
            while data := source.recv(4096):
                if len(data) > left:
                    target.sendall(data[:left])
                    self.cuts += 1
                    break
                target.sendall(data)
                left -= len(data)
                if self.mode == "deaf":
                    self.held += [source, target]
                    return
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
