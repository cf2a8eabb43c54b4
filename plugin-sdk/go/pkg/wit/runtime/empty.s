// An empty assembly file lets a package have functions without bodies.
