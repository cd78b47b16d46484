"""What is kept between runs: the local copy of projects, what was published, and what is to be done."""
