firewall-cmd --zone=trusted --add-source=192.0.2.0/24
