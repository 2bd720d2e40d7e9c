addACL('192.0.2.0/24')
addAction(NetmaskGroupRule('198.51.100.0/24'), DropAction())
