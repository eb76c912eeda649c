// MAP_WORKER is the address of the map's worker, put in by the bundler.
declare const MAP_WORKER: string;
