firewall-cmd --permanent --zone=drop --add-source=192.0.2.0/24
firewall-cmd --permanent --zone=drop --add-source=198.51.100.7
