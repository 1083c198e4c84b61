"""Methods of inference; they know models only through their verbs."""
