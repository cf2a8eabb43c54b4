module berth

go 1.25
