firewall-cmd --permanent --ipset=one --add-entry=192.0.2.1
firewall-cmd --permanent --ipset=two --add-entry=198.51.100.7
