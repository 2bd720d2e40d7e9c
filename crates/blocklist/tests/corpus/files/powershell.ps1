New-NetFirewallRule -DisplayName x -Direction Inbound -Action Block -RemoteAddress 192.0.2.1
