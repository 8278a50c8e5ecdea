// The shop; everything is in the modules beside it.

import { start } from "./web.js";

start();
