/* Version of the firmware core, as INFO reports it. */
#ifndef HIL_VERSION_H
#define HIL_VERSION_H

#define HIL_FIRMWARE_VERSION "0.1.0"

#endif
