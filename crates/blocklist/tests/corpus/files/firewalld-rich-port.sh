firewall-cmd --add-rich-rule='rule family="ipv4" source address="192.0.2.1" port port="22" protocol="tcp" reject'
