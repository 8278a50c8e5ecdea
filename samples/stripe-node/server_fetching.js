// The shop that asks Stripe; everything is in the modules beside it.

import { FetchingShop } from "./fetching.js";
import { start } from "./web.js";

start(FetchingShop);
