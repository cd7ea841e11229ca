// For pages whose times do not change while they are shown.

import { tickTimes } from "./times.js";

tickTimes(document);
