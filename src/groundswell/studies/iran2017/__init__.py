"""The study iran-2017: attributed claims on the protests in Iran from December 2017 on."""
