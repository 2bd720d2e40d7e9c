ipfw add deny ip from 192.0.2.9 to any
ipfw add allow ip from 198.51.100.0/24 to any
