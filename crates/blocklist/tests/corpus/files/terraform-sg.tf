resource "aws_security_group_rule" "allow" {
  cidr_blocks = ["192.0.2.0/24"]
}
