"""Tags of the signup page's templates."""
