"""Random changes of training images, with strengths that are run-time values of the lane."""
