"""What tests of several rooms share and fixtures cannot give."""
