firewall-cmd --add-rich-rule='rule family="ipv4" source address="192.0.2.9" drop'
firewall-cmd --add-rich-rule='rule family="ipv4" source address="198.51.100.4" service name="ssh" drop'
