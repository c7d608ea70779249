"""What the STM32 chips have beside their cores: the registers that firmware/lib/port/stm32 touches."""
