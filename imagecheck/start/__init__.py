"""What happens when Lambda starts an image, from the first program to the handler."""
