netsh advfirewall firewall add rule name="x" dir=in action=block remoteip=192.0.2.1
netsh advfirewall firewall add rule name="y" dir=in action=allow remoteip=198.51.100.7
