ufw allow from 192.0.2.1
ufw deny from 198.51.100.0/24
