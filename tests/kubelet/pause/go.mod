module nodeslots.io/pause

go 1.21
