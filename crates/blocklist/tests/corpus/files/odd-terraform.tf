resource "x" "y" {
  cidr_blocks = ["198.51.100.0/24"]
}
