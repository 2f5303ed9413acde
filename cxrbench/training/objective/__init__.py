"""What is minimised: losses, class weights, sampling."""
