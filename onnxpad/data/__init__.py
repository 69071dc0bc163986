"""What the models run on: synthetic scenes, images, arrays, made to a model's inputs."""
