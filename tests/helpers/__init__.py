"""What the tests share: a scripted peer, certificates, and the servers of the live tests."""
