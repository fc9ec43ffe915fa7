"""The Python side of Learning Orchestra: fork server, keeper and step. PROTOCOL.md is the contract with the server."""
