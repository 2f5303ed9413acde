"""Losses, class weights and sampling."""
