"""What imports torch; reached through `crowdcore.learning.networks.extra` alone."""
