"""The lanes engine: many (configuration × seed) trainings through one compiled program."""
