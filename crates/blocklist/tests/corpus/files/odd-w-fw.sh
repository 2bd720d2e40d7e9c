firewall-cmd --zone=trusted --add-source=192.0.2.9
firewall-cmd --zone=drop --add-source=198.51.100.4
