firewall-cmd --add-rich-rule='rule family="ipv4" source NOT address="192.0.2.9" drop'
