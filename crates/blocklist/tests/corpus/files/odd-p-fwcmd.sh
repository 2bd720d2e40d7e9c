firewall-cmd --permanent --zone=trusted --add-source=192.0.2.9
