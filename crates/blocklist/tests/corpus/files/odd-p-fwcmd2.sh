firewall-cmd --zone=drop --add-source=192.0.2.9
firewall-cmd --zone=drop --remove-source=192.0.2.9
